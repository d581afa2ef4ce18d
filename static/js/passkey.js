// Passkeys: the server's wish goes to the browser, the browser's answer goes back in the form.
// Bytes travel as base64url in JSON. Without passkeys in the browser the forms stay hidden.

const fromText = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const named = (list) => list?.map((each) => ({ ...each, id: fromText(each.id) }));

function forCreating({ publicKey }) {
  return {
    publicKey: {
      ...publicKey,
      challenge: fromText(publicKey.challenge),
      user: { ...publicKey.user, id: fromText(publicKey.user.id) },
      excludeCredentials: named(publicKey.excludeCredentials) ?? [],
    },
  };
}

function forGetting({ publicKey }) {
  return {
    publicKey: {
      ...publicKey,
      challenge: fromText(publicKey.challenge),
      allowCredentials: named(publicKey.allowCredentials) ?? [],
    },
  };
}

function answerOf(credential) {
  const { response } = credential;
  const told = { clientDataJSON: toText(response.clientDataJSON) };
  if (response.attestationObject) {
    told.attestationObject = toText(response.attestationObject);
    told.transports = response.getTransports?.() ?? [];
  } else {
    told.authenticatorData = toText(response.authenticatorData);
    told.signature = toText(response.signature);
    told.userHandle = response.userHandle ? toText(response.userHandle) : null;
  }
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: told,
  };
}

async function wishOf(form) {
  const { optionsUrl } = form.dataset;
  if (!optionsUrl) return JSON.parse(form.querySelector('script[type="application/json"]').textContent);
  const answer = await fetch(optionsUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no wish");
  return (await answer.json()).request_options;
}

function alone(wish) {
  const chosen = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  wish.publicKey.authenticatorSelection = { ...wish.publicKey.authenticatorSelection, ...chosen };
}

async function ask(form) {
  const wish = await wishOf(form);
  if (form.dataset.passkey === "get") return navigator.credentials.get(forGetting(wish));
  if (form.elements.passwordless?.checked) alone(wish);
  return navigator.credentials.create(forCreating(wish));
}

async function send(form) {
  const failed = form.querySelector("[data-passkey-failed]");
  failed.textContent = "";
  try {
    form.elements.credential.value = JSON.stringify(answerOf(await ask(form)));
  } catch {
    failed.textContent = failed.dataset.passkeyFailed;
    return;
  }
  form.submit();
}

if (window.PublicKeyCredential && window.isSecureContext) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
  document.querySelectorAll("[data-passkey-missing]").forEach((hint) => hint.remove());
}
