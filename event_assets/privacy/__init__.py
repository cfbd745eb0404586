"""What people may ask of a platform that knows them: a module a step of it. Here: that they are erased, with proof."""
