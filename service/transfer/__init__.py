"""Comments from elsewhere and to elsewhere: WordPress, Disqus, Isso, and our own lines of JSON."""
