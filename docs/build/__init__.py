"""What binds the book: runs its code, shows the library's, draws its pictures."""
