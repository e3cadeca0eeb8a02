"""Whoever has left is reminded of nothing, from the moment on at which they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.payments.dunning import store as dunning
from crm.workflows.withdrawal.models import StartWithdrawal

if TYPE_CHECKING:
    from crm.workflows.models import Saga
    from tests.integration.crm.workflows.conftest import House


async def is_left_alone(house: House, saga: Saga) -> bool:
    invoice_id = (await house.saga(saga)).invoice_id
    assert invoice_id is not None
    async with house.database.read() as conn:
        return await dunning.is_being_undone(conn, invoice_id)


async def half_paid(house: House) -> Saga:
    cohort = await house.cohort()
    saga = await house.start(cohort, instalments=2)
    await house.settle()
    await house.pay(saga)
    await house.settle()
    return await house.is_whole(saga, cohort)


@pytest.mark.parametrize("how", ["withdraw", "cancel"])
async def test_who_leaves_is_left_alone_before_anything_else_follows(
    house: House, how: str
) -> None:
    if how == "withdraw":
        saga = await half_paid(house)
        assert not await is_left_alone(house, saga)
        assert saga.enrolment_id is not None
        command = StartWithdrawal(enrolment_id=saga.enrolment_id, reason="moves away")
        await house.workflows.start_withdrawal(command, actor=SERVICE_ACTOR)
    else:
        saga = await house.start(await house.cohort(), instalments=2)
        assert not await is_left_alone(house, saga)
        await house.workflows.cancel(saga.id, actor=house.advisor)
    assert await is_left_alone(house, saga)
    await house.settle()
    assert await is_left_alone(house, saga)
