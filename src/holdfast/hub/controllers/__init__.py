"""Controllers at work: they look, decide, and have their actuators commanded through the same desk as everybody."""
