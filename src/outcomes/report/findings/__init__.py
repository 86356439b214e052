"""What reports say as findings: each is made once, from the answers' tables, and told by all documents."""
