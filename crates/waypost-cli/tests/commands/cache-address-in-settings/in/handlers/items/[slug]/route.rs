// GET
