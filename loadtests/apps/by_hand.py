"""What an application checks by itself where its framework checks no bodies."""

from typing import Any


def is_item(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("price"), int | float)
    )


def is_order(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    sku, quantity, price = value.get("sku"), value.get("quantity"), value.get("price")
    gift, email = value.get("gift"), value.get("email")
    return (
        isinstance(sku, str)
        and 3 <= len(sku) <= 32
        and isinstance(quantity, int)
        and 1 <= quantity <= 1000
        and isinstance(price, int | float)
        and price > 0
        and isinstance(gift, bool)
        and isinstance(email, str)
        and len(email) <= 100
    )


ORDER = ("sku", "quantity", "price", "gift", "email")


def order_of(value: dict[str, Any]) -> dict[str, Any]:
    """What is sent back of an order: its own fields, and nothing that came with them."""
    return {name: value[name] for name in ORDER}
