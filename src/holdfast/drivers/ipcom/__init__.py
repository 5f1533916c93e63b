"""IPCom / Home Anywhere Blue controllers: lights, dimmers and shutters behind one TCP port."""
