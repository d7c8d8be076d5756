// What can be asked, as the server publishes it: endpoints, their types, the parameters of each
let known;

export async function published() {
  known ??= fetch("/reduction/openapi.json").then((answer) => answer.json()).then(read);
  return known;
}

function read(schema) {
  const named = (one) => (one.$ref ? schema.components.schemas[one.$ref.split("/").pop()] : one);
  return Object.entries(schema.paths)
    .filter(([, methods]) => methods.post?.requestBody)
    .map(([path, methods]) => ({
      path,
      name: path.replace(/^\/reduction\//, ""),
      about: methods.post.summary || "",
      types: bodies(methods.post.requestBody.content["application/json"].schema, named),
    }));
}

function bodies(wanted, named) {
  const whole = wanted.anyOf ? wanted.anyOf[0] : wanted;
  const mapped = whole.discriminator?.mapping;
  if (!mapped) return [described("", named(whole))];
  return Object.entries(mapped).map(([type, reference]) => described(type, named({ $ref: reference })));
}

function described(type, body) {
  const required = new Set(body.required || []);
  const sets = (body.oneOf || body.anyOf || []).map((one) => one.title).filter(Boolean);
  const parts = Object.entries(body.properties || {}).filter(([name]) => name !== "type");
  const inSets = new Set(sets.join(", ").split(", "));
  return {
    type,
    about: body.description || "",
    sets,
    example: body.examples?.[0] || {},
    parameters: parts.map(([name, part]) => parameter(name, part, required.has(name), inSets.has(name)))
      .sort((one, other) => rank(one) - rank(other)),
  };
}

const rank = (one) => (one.required ? 0 : one.inSet ? 1 : 2);

function parameter(name, part, required, inSet) {
  const kinds = (part.anyOf || [part]).filter((one) => one.const !== "");
  const choices = kinds.find((one) => one.enum)?.enum;
  return {
    name, required, inSet,
    about: part.description || "",
    example: part.examples?.[0],
    choices: choices && boolean(choices) ? ["true", "false"] : choices?.map(String),
    date: kinds.some((one) => one.format === "date"),
    secret: part.format === "password" || /password/i.test(name),
    long: name === "query",
    json: kinds.every((one) => ["array", "object"].includes(one.type)),
  };
}

const boolean = (choices) => choices.includes(true) && choices.includes(false);
