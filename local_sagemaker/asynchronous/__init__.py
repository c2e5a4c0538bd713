"""Asynchronous endpoints: requests that wait in the state, and answers that go to S3."""
