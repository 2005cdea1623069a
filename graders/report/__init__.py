"""What people and programs read: the terminal, pages, pictures, exports."""
