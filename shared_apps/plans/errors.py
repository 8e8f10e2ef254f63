from shared_apps.kernel.errors import NotFound


class NoSuchPlan(NotFound):
    code = "plan_not_found"
    title = "There is no such plan"
