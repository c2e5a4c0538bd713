"""The account: CloudFormation stacks, who may do what in them, and the commands that set them up and remove them."""
