"""What a check holds in its hand: proxies over interchangeable transports."""
