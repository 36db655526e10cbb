"""What tests stand on: servers, processes, a ready-made site, waiting for conditions."""
