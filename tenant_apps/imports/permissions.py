GRANTS = {
    "admin": {
        "imports.add_importrun": "organization",
        "imports.view_importrun": "organization",
    },
    "supervisor": {"imports.view_importrun": "organization"},
}
