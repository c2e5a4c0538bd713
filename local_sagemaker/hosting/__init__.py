"""Models as processes behind endpoints: real HTTP under the container's handler contract."""
