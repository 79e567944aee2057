/**
 * Whether an object of a JSON text, at any depth, says one name twice. JSON.parse takes the last and says nothing.
 * @param json a text that JSON.parse reads.
 */
export function doubled(json: string): boolean {
  // What is open, from the outside in: the names so far of an object, nothing of a list.
  const open: (Set<string> | undefined)[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (name !== undefined) {
      // The same name may be written with and without escapes.
      const read = JSON.parse(name) as string;
      const names = open.at(-1);
      if (names?.has(read)) return true;
      names?.add(read);
    }
  }
  return false;
}
