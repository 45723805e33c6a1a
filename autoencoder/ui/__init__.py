"""The Streamlit pages, and what they share."""
