/** A Python that has pika, an AMQP 0-9-1 client, for the examples of RabbitMQ. */
import { pythonModule } from "./python_module.ts";

export const python_pika = pythonModule("python_pika", ["python3-pika"], "pika");
