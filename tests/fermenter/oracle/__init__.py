"""An observer of the whole hub from outside: it knows the truth, and holds it against what is shown, told and sent."""
