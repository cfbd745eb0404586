"""The platform's infrastructure on AWS, as a CDK app: `python -m infra`.

What it makes has no settings of its own: containers get the platform's (`EVENT_ASSETS_…`). No event is handled here.
"""
