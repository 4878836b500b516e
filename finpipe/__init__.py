"""finpipe: links CRM, billing, ERP and bank, and proves bookings, billings and collections to the cent."""
