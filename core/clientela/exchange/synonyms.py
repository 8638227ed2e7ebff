"""The words by which other systems name what we keep; each line begins with our name for it."""

from __future__ import annotations

import re
import unicodedata

_LINES = """
email: e-mail, mail, email address, e-mail address, эл. почта, электронная почта, почта
email: емейл, имейл, адрес электронной почты
phone: tel, telephone, telephone number, phone number, mobile, mobile phone, cell, cell phone
phone: телефон, мобильный, мобильный телефон, номер телефона, тел
name: account, account name, company, company name, customer, customer name, organisation
name: organization, organisation name, organization name, full name, fullname, client
name: название, наименование, имя клиента, компания, организация, клиент, фио, полное имя
name: контрагент
family: surname, last name, family name, lastname, second name, фамилия
given: given name, first name, firstname, forename, имя
patronymic: middle name, отчество
prefix: title, salutation, обращение
birth_date: date of birth, dob, birthday, birthdate, дата рождения, день рождения
country: office location, country code, страна
city: town, suburb, locality, город, населённый пункт
region: state, province, county, область, край, регион
district: район
street: address 1, street address, address line 1, улица
house: street number, house number, дом
unit: apartment, flat, квартира, офис
postal_code: postcode, post code, zip, zip code, индекс, почтовый индекс
website: web, web site, url, homepage, сайт, веб-сайт
language: lang, язык
source: lead source, origin, источник
note: notes, comment, comments, description, remarks, комментарий, примечание, заметка
note: описание
tags: labels, keywords, теги, метки
owner_id: owner, responsible, assigned to, ответственный, менеджер
kind: type, customer type, тип
legal_name: legal entity, юридическое название, полное наименование
amount: sum, price, value, сумма
currency: валюта
subject: тема
"""


def plain(header: str) -> str:
    """Give the form in which headers are compared: small letters and digits only.

    >>> plain("E-Mail address") == plain("email_address")
    True
    """
    small = unicodedata.normalize("NFKC", header).casefold().replace("ё", "е")
    return re.sub(r"[\W_]+", "", small)


def _read() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _LINES.strip().splitlines():
        name, _, words = line.partition(":")
        found[name] = found.get(name, ()) + tuple(plain(word) for word in words.split(","))
    return found


SYNONYMS = _read()
