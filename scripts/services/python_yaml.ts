/** A Python that has PyYAML: a YAML 1.1 reader that shares no code with ours. */
import { pythonModule } from "./python_module.ts";

export const python_yaml = pythonModule("python_yaml", ["python3-yaml"], "yaml");
