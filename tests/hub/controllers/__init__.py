"""Controllers at work in a hub."""
