"""What other contexts do with invoices and payments, inside their own transactions."""

from crm.payments.inbox import receive
from crm.payments.invoices.acts import cancel_invoice, credit_invoice, raise_invoice
from crm.payments.refunding import give_up_refund, note_refund, request_refund
from crm.payments.taking import initiate_payment, note_checkout, take_by_hand, void_payment

__all__ = [
    "cancel_invoice",
    "credit_invoice",
    "give_up_refund",
    "initiate_payment",
    "note_checkout",
    "note_refund",
    "raise_invoice",
    "receive",
    "request_refund",
    "take_by_hand",
    "void_payment",
]
