"""S3: moto answers the requests; the bytes of the objects are files, and what is known of them is rows."""
