"""Events that grow while their followers read along."""
