"""A gallery of your own: read from its source, stored in a folder, opened, and searched by Milvus."""
