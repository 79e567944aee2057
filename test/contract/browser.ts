// Somebody's browser at an OpenID Connect server: it keeps cookies, follows redirects and sends the forms it is shown.

/**
 * Goes to a page and on to where that leads.
 * @param user who it is, by the header that the test's server asks for.
 * @returns the last page, or the answer of the first that is of another origin.
 */
export async function visit(url: string, user: string): Promise<{ url: string; status: number; text: string }> {
  const { origin } = new URL(url);
  const cookies = new Map<string, string>();
  let next: { url: string; form?: URLSearchParams } = { url };
  for (let steps = 20; steps > 0; steps -= 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const ours = new URL(next.url).origin === origin;
    const answer = await fetch(next.url, {
      method: next.form === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: ours ? { cookie, "x-user": user } : {},
      ...(next.form && { body: next.form }),
    });
    const text = await answer.text();
    if (!ours) return { url: next.url, status: answer.status, text };
    for (const each of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    const form = /<form[^>]*action="([^"]+)"[\s\S]*?<\/form>/.exec(text);
    if (location !== null) next = { url: new URL(location, next.url).href };
    else if (form?.[1] !== undefined) next = { url: form[1], form: filled(form[0], text, next.url) };
    else return { url: next.url, status: answer.status, text };
  }
  throw new Error("it leads in circles");
}

/** The fields that a form holds already; of a code that is asked for, the one in the address. */
function filled(form: string, page: string, url: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]+)"/.exec(input)?.[1];
    if (name !== undefined) fields.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? "");
  }
  const code = new URL(url).searchParams.get("user_code");
  if (code !== null) fields.set("user_code", code);
  // The page on which a code is confirmed sends this by its button.
  if (page.includes("op.deviceConfirmForm")) fields.set("confirm", "yes");
  return fields;
}
