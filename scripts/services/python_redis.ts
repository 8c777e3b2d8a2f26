/** A Python that has redis-py, for the examples of Redis. */
import { pythonModule } from "./python_module.ts";

export const python_redis = pythonModule("python_redis", ["python3-redis"], "redis");
