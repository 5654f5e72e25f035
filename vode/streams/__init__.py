"""Images with their times from files, data sets, bags, webcams and addresses, and the camera that took them."""
