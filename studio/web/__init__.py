"""HTTP: routes, who may ask, how pages are written and kept live."""
