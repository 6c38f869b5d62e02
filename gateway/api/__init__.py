"""The HTTP side: one router per noun; `app.build` joins them."""
