"""Who may look at the dashboards, and as which role: no sign-in, OpenID Connect, or a proxy that names the visitor."""
