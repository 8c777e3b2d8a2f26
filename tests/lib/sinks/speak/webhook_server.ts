/**
 * A webhook on loopback that answers as it is told and keeps what it was sent. `hold` never answers, until the end.
 */
export interface Post {
  readonly headers: Headers;
  readonly body: { sink: string; text?: string; lost: number; alerts: PostedAlert[]; [key: string]: unknown };
}
export interface PostedAlert {
  at: string;
  rule: string;
  priority: string;
  venue?: string;
  symbol?: string;
  text: string;
  resolved: boolean;
  values: Record<string, number | string>;
}
export type Answer = number | "hold" | { status: number; headers: Record<string, string> };

export class WebhookServer implements AsyncDisposable {
  readonly posts: Post[] = [];
  /** Every attempt, taken or not. */
  attempts = 0;
  answer: (attempt: number) => Answer = () => 200;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #release = Promise.withResolvers<void>();
  readonly #waiting: { holds: () => boolean; resolve: () => void }[] = [];

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#on(request),
    );
  }
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/hook/T0KEN-in-path?key=also-secret`;
  }
  get alerts(): PostedAlert[] {
    return this.posts.flatMap(({ body }) => body.alerts);
  }
  /** Resolves once it holds; looked at after each request. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#release.resolve();
    await this.#server.shutdown();
  }

  async #on(request: Request): Promise<Response> {
    const text = await request.text();
    this.attempts++;
    const answer = this.answer(this.attempts);
    const { status, headers } = typeof answer === "object"
      ? answer
      : { status: answer === "hold" ? 200 : answer, headers: {} };
    if (answer !== "hold" && status < 300) {
      this.posts.push({ headers: request.headers, body: JSON.parse(text) });
    }
    for (const one of this.#waiting) if (one.holds()) one.resolve();
    if (answer === "hold") await this.#release.promise;
    return new Response(status === 204 ? null : "answer", { status, headers });
  }
}
