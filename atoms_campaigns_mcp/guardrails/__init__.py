"""Pure rules over a `Plan`: what is asked before something dials or is destroyed. No I/O."""
