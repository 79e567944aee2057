import * as z from "zod";
import { idOf } from "#core/id.ts";
import * as Members from "#core/member/index.ts";
import * as Provider from "#core/provider/index.ts";
import * as Token from "#core/token/index.ts";
import { contextOf, system } from "../deps.ts";
import { body, json, knock, look, newRouter, route } from "./door.ts";
import { Confirmation, tell } from "./tell.ts";

const SignedIn = Provider.SignedIn.meta({
  id: "SessionCreated",
  description: "A new session, and whose it is. `token` is shown only here.",
});
const Ended = Token.View.extend({ confirmation: Confirmation }).meta({
  id: "SessionEnded",
  description: "A session that was ended, and which of the clusters that it entered hold that by now.",
});
const Offers = z
  .object({ providers: z.array(Provider.Offer) })
  .meta({ id: "SignIn", description: "How one may sign in to a tenant." });
const Known = Members.View.meta({ id: "MemberKnown", description: "The caller, with its identity." });
const params = z.object({ id: idOf("token") });
const tags = ["sessions"];

export const sessions = newRouter()
  .openapi(
    route(
      { permission: "public" },
      {
        method: "get",
        path: "/v1/sign-in",
        operationId: "listSignIn",
        tags,
        summary: "How to sign in to a tenant",
        description:
          "Its identity providers, and where each begins. Of a tenant that is not there, none. Open to anyone.",
        request: { query: z.strictObject({ tenant: z.string().min(1).max(100).describe("Its name or id.") }) },
        responses: { 200: json("The providers.", Offers) },
      },
    ),
    async (c) => {
      look(c);
      return c.json({ providers: await Provider.offers(c.var.deps, c.req.valid("query").tenant) }, 200);
    },
  )
  .openapi(
    route(
      { permission: "public", secret: true },
      {
        method: "post",
        path: "/v1/sessions",
        operationId: "createSession",
        tags,
        summary: "Sign in",
        description:
          "Exchanges an ID token of one of the tenant's providers, or a code for one, for a session: a token that is " +
          "used like an API key. An ID token is taken once, within 10 minutes of its making. Whatever is wrong with a " +
          "proof, the answer is the same 401. Who is proved and may not come in is told so by a 403.",
        request: { body: body(Provider.SignInInput.meta({ id: "SessionCreate" })) },
        responses: {
          201: { ...json("The session, with its secret.", SignedIn), headers: z.object({ Location: z.string() }) },
        },
      },
    ),
    async (c) => {
      const { deps, requestID } = c.var;
      const input = c.req.valid("json");
      const { session, moved } = await knock(c, `${input.tenant}/${input.provider}`, async () => {
        const provider = await Provider.find(deps, input);
        if (provider === undefined) throw Provider.refused();
        const ctx = contextOf(deps, system(provider.tenant), requestID);
        c.set("ctx", ctx);
        return await Provider.signIn(ctx, provider, input);
      });
      if (moved) await tell(c);
      return c.json(session, 201, { Location: `/v1/tokens/${session.id}` });
    },
  )
  .openapi(
    route(
      { permission: "member", fresh: true },
      {
        method: "post",
        path: "/v1/me/identity",
        operationId: "linkIdentity",
        tags,
        summary: "Be known by an identity",
        description:
          "Proves to one of the tenant's providers who the caller is, who signs in by that from now on. For people who " +
          "came in another way, such as by an invite.",
        request: { body: body(Provider.LinkInput.meta({ id: "IdentityLink" })) },
        responses: { 200: json("The caller.", Known) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(
        await knock(c, `${c.var.ctx.tenant}/${input.provider}`, () => Provider.link(c.var.ctx, input)),
        200,
      );
    },
  )
  .openapi(
    route(
      { permission: "member", fresh: true },
      {
        method: "delete",
        path: "/v1/sessions/current",
        operationId: "endOwnSession",
        tags,
        summary: "Sign out",
        description: "Ends the session that asks. An API key is none: it is ended by revoking it.",
        responses: { 200: json("The session, ended.", Ended) },
      },
    ),
    async (c) => {
      const view = await Token.signOut(c.var.ctx);
      return c.json({ ...view, confirmation: await tell(c, { seconds: 5 }) }, 200);
    },
  )
  .openapi(
    route(
      { permission: "member", fresh: true },
      {
        method: "delete",
        path: "/v1/sessions/{id}",
        operationId: "endSession",
        tags,
        summary: "End a session",
        description:
          "One of the caller's own, whatever its role; `GET /v1/tokens?kind=session` lists them. An owner ends others' " +
          "by `DELETE /v1/tokens/{id}`.",
        request: { params },
        responses: { 200: json("The session, ended.", Ended) },
      },
    ),
    async (c) => {
      const view = await Token.signOut(c.var.ctx, c.req.valid("param").id);
      return c.json({ ...view, confirmation: await tell(c, { seconds: 5 }) }, 200);
    },
  );
