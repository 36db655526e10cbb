"""HTTP: views that authorise, parse, call one use case and render. Flask lives only here."""
