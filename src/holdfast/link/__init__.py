"""Links: opened, watched, lost and regained; evidence, commands and failover. Knows no device family."""
