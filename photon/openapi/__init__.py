"""What an application says about itself: its OpenAPI document, and the page that shows it."""
