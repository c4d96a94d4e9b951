"""What the API and the dashboard share: who asks, from where, and how a refusal is told."""
