"""The way of every request through the application: what is done to all of them, in which order."""

from collections import defaultdict
from functools import cached_property

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import MethodNotAllowed

from rewards_service.kit import access_log, etags, packing, repeats
from rewards_service.kit.quota import Standing
from rewards_service.kit.web import API, SAFE_METHODS, WEBHOOKS


class WebApp(Flask):
    """Flask with one transaction a request, committed after the view and before the answer.

    Webhooks look after themselves: they pay for none of the hooks of the interface for people.
    """

    def preprocess_request(self) -> ResponseReturnValue | None:
        if _is_webhook():
            return None
        access_log.begin()
        return super().preprocess_request()

    def dispatch_request(self) -> ResponseReturnValue:
        rule = request.url_rule
        if rule is not None and rule.arguments and (methods := self._methods.get(request.path)):
            raise MethodNotAllowed(sorted(methods))
        if request.method in SAFE_METHODS:
            return super().dispatch_request()
        wish = repeats.wanted()
        if wish is not None:
            return repeats.once(wish, self._change)
        answer = self._change()
        session: Session | None = g.get("session")
        if session is not None:
            session.commit()
        return answer

    def _change(self) -> Response:
        """What the view answers, with the tag of what it made or changed; not committed yet."""
        is_ours = request.path.startswith(API) and request.url_rule is not None
        if is_ours:
            etags.check()
        answer = self.make_response(super().dispatch_request())
        if is_ours:
            etags.tag_change(answer)
        return answer

    def make_default_options_response(self) -> Response:
        answer = super().make_default_options_response()
        if request.url_rule is not None:
            answer.allow.clear()
            answer.allow.update(sorted(self._methods[request.url_rule.rule]))
        return answer

    @cached_property
    def _methods(self) -> dict[str, set[str]]:
        """Those of each address alone: /payouts/export is no payout with the id "export".

        Gathered once: no address is added when requests come.
        """
        found: dict[str, set[str]] = defaultdict(set)
        for known in self.url_map.iter_rules():
            found[known.rule] |= known.methods or set()
        return dict(found)

    def process_response(self, response: Response) -> Response:
        if _is_webhook():
            return response
        answer: Response = super().process_response(response)
        standing: Standing | None = g.get("standing")
        if standing is not None:
            answer.headers.update(standing.headers)
        if request.path.startswith(API):
            gains = packing.is_worthwhile(answer)
            is_known = request.method in ("GET", "HEAD") and etags.answer_read(answer)
            if gains and not is_known:
                packing.pack(answer)
        access_log.note(answer)
        return answer


def _is_webhook() -> bool:
    return request.path.startswith(WEBHOOKS)
