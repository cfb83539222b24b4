"""A notebook with parameters is a job; its record is the executed notebook."""
