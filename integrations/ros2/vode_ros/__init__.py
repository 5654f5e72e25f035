"""Visual odometry and depth of `vode` as a ROS 2 node. Only ``node`` and ``messages`` need ROS."""
