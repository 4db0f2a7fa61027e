"""The intermediate representation: what BASIC and the canvas both become."""
