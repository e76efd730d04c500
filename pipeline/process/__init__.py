"""Our processes: this one's collector of cycles, and children that start, keep limits and end."""
