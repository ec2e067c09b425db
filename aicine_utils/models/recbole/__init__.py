"""RecBole's models, trained by our loop on our splits: one adapter, and subclasses where the library's way is slow."""
