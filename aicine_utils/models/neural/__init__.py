"""Models in torch: matrix factorisation, perceptrons and a recurrent network, on one training loop."""
