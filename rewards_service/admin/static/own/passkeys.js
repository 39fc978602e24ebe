// Asks the browser for a passkey and hands its answer to the form around it.
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/_/g, "/").replace(/-/g, "+")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const create = async (options) => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    } });
    return { id: made.id, rawId: text(made.rawId), type: made.type,
      response: { attestationObject: text(made.response.attestationObject),
        clientDataJSON: text(made.response.clientDataJSON),
        transports: made.response.getTransports ? made.response.getTransports() : null },
      extensions: JSON.stringify(made.getClientExtensionResults()) };
  };

  const get = async (options) => {
    const found = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    } });
    return { id: found.id, rawId: text(found.rawId), type: found.type,
      response: { authenticatorData: text(found.response.authenticatorData),
        clientDataJSON: text(found.response.clientDataJSON),
        signature: text(found.response.signature),
        userHandle: found.response.userHandle ? text(found.response.userHandle) : "" },
      assertionClientExtensions: JSON.stringify(found.getClientExtensionResults()) };
  };

  const failed = form.querySelector("[data-passkey-error]");
  const again = form.querySelector("[data-passkey-again]");
  const ask = async () => {
    failed.hidden = again.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const answer = await (form.dataset.passkey === "create" ? create : get)(options);
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      failed.textContent = error.name === "NotAllowedError"
        ? "That was cancelled, or took too long." : `That did not work: ${error.message}`;
      failed.hidden = again.hidden = false;
    }
  };
  again.addEventListener("click", ask);
  ask();
})();
