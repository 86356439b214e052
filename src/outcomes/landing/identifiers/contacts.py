"""Ways to reach a person, plain or hidden: mail, profiles, addresses of several countries, words before a birthday."""

from __future__ import annotations

import re

_AT = r"\s*(?:@|＠|[(\[{<]\s*(?:at|a|ät|arroba)\s*[)\]}>]|_at_|\sat\s)\s*"
_DOT = r"\s*(?:\.|[(\[{<]\s*(?:dot|punkt|punto)\s*[)\]}>]|\s(?:dot|punkt|punto)\s|_dot_)\s*"
HIDDEN_MAIL = re.compile(
    rf"(?i)[\w.+-]{{2,}}{_AT}[\w-]{{2,}}(?:{_DOT}[\w-]+)*{_DOT}[a-z]{{2,10}}|[\w.+-]+[@＠][a-z-]{{3,}}"
)
"""`anna (at) example dot org`; also `anna@example`, as intranets have it."""

_SITES = (
    r"linkedin|facebook|fb|instagram|twitter|x|tiktok|xing|github|gitlab|youtube|snapchat|pinterest|reddit|vk|ok"
    r"|threads|researchgate|soundcloud|twitch"
)
PROFILE = re.compile(
    rf"(?i)(?:https?://)?(?:[a-z-]+\.)?(?:(?:{_SITES})\.[a-z]{{2,3}}|t\.me|wa\.me|bsky\.app|orcid\.org|linktr\.ee)/\S+"
    r"|(?:skype|insta|instagram|facebook|fb|telegram|tg|whatsapp|signal|snap|twitter|tiktok|discord|threema)"
    r"\s*:\s*@?[\w.+-]{2,}"
    r"|/?u/[a-z][a-z_-]{2,}|0000-000\d-\d{4}-\d{3}[\dX]"
    r"|(?:[a-z0-9-]+\.)+(?:com|org|net|info|eu|me|de|at|ch|fr|it|es|nl|be|uk|ie|se|no|dk|fi|pl|cz|pt|br|ru|jp|io)(?:/\S*)?"
)
"""A page or an account of a person; a domain name alone."""

_STREET_WORDS_BEHIND = (
    r"utca|út|útja|tér|sokak|sok|cad|caddesi|cd|ulice|ulica|katu|tie|gata|gate|vei|veien|veg|vägen|gatan"
)
PLACE = re.compile(
    rf"(?i)\w*(?:{_STREET_WORDS_BEHIND})\.?,? (?:no[:.]? ?)?\d{{1,4}}\b"
    r"|\w(?:str\.|straße|strasse|gade|weg|gasse)\d{1,4}\b|\w(?:katu|tie|gata|vegen|veien|vejen|gatan) \d{1,4}\b"
    r"|\b(?:ul|al|pl|ulica|náměstí|nám|calle|carrer|rua|av|avda|jalan|jln|lorong|strada|bulevardul|ул|пр|просп|пер|вул"
    r"|οδός|улица|проспект)(?:\. ?| )[^\W\d_].*\d{1,4}\b"
    r"|\b(?:no|plot|house|h\.? ?no|flat|door)\.? ?\d{1,4},? [^\W\d_]{3,}.*|\d{1,4}, (?:jalan|lorong|lot) \w+"
    r"|(?:p\.? ?o\.? ?box|postfach|boîte postale|bp|apartado|postbus|casella postale|postboks) \d[\d ]*"
    r"|\w{2,}[市区縣县都道府県郡町村路街]\w*\d|\bc/ ?\w+ \d{1,4}\b|〒\d{3}-?\d{4}"
    r"|\d{1,3}°\s?\d{1,2}['′].*[NSEWO]"
)
"""Streets with a house, boxes at the post, in the words of several languages."""

BORN_ON = re.compile(
    r"(?i)(?:geb(?:oren)?\.?|born|dob|d\.o\.b\.?|n[ée]+e? le|nat[oa] il|nacid[oa]|ur\.|f\.|\*)[ :]*(?:am |on |in |el )?"
    r"(?:\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}|(?:19|20)\d\d(?:[-./]\d{1,2}[-./]\d{1,2})?)"
    r"|\d{4}年\d{1,2}月\d{1,2}日|\d{1,2}[-./ ](?:I{1,3}|IV|VI{0,3}|IX|XI{0,2})[-./ ]\d{4}"
)
"""A birthday that says so, or in signs that pseudonyms have not."""

CALL = re.compile(
    r"(?i).*\b(?:tel|telefon|phone|mob|mobil|mobile|handy|cell|fax|call|whatsapp)\b[.:]?\D{0,20}(?:\d[ /()-]*){6,15}\D*"
)
"""Digits behind a word for a telephone."""
