"""Product analyses: funnels, retention, lifecycle, stickiness, paths, active people, web vitals."""
